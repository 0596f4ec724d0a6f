/** Whether nobody but this machine reaches an address, as HOST or a URL names it. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}
