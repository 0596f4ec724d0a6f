/** A certificate that nobody trusts, with its key. It is good for nothing but a TLS server that must be refused. */
export const untrusted = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIkop8ymx6fVlE9SG
zaQOp4hSL9M0lnmP4dHJGauW1/OhRANCAAQftDN6/KRlP/zjBkhRsMsayXXUngX3
6WDU6VElaB0hu+bTR5bc/Eq42BwCp8Y+utS98D6iNXfa5jbe7XYycwdb
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUT6HhhD1y6mwEkddLqytuJ51GL5UwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIwMTQzNFoYDzIxMjYxMDI5
MjAxNDM0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQftDN6/KRlP/zjBkhRsMsayXXUngX36WDU6VElaB0hu+bTR5bc/Eq4
2BwCp8Y+utS98D6iNXfa5jbe7XYycwdbo1MwUTAdBgNVHQ4EFgQUGf+0suhlLT3s
KIjCpt9Pn/U2luwwHwYDVR0jBBgwFoAUGf+0suhlLT3sKIjCpt9Pn/U2luwwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAjssi/gq2YWT0kK85f+RF
QfNFz4oyKkMpgej1+PYJ0MQCIH2YPVbFVX1f/mVoneVCRbwotRye5v9DC+E9RY7p
7nma
-----END CERTIFICATE-----
`,
};
