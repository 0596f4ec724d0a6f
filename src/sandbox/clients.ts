/**
 * The sandbox's clients: the name decides what happens to a message for it, and the sentence says what that is.
 * Every other name, and a message for a phone number only, goes the way of `reads`.
 */
export const sandboxClients = {
  reads: 'Receives the message and reads it: sent, delivered, read.',
  'delivers-only': 'Receives the message and never opens it: sent, received.',
  fails: 'Cannot be reached: sent, then failed with a reason.',
  'conversation-closed': 'Has no open service conversation: the send is answered 200 with success: false.',
  'answers-500': 'The send is answered 500.',
  'answers-429': 'The send is answered 429 with Retry-After.',
  'answers-html': 'The send is answered 200 with an HTML page.',
  hangs: 'The send is never answered.',
  resets: 'The connection is reset once the send has been read.',
  'early-callback':
    'Reads at once: every callback is delivered before the send is answered, unless it has a delay.',
  'repeats-callbacks': 'Reads the message, and each callback comes three times.',
  'shuffles-callbacks': 'Reads the message, and its callbacks come as read, sent, delivered.',
  'never-calls-back': 'The send is accepted, and no callback ever comes.',
} as const;

export type SandboxClient = keyof typeof sandboxClients;
