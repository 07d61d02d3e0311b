import type { SecureVersion } from "node:tls";

/**
 * The only suite: TLS 1.3 gives forward secrecy with a pre-shared key, and 128 bits are the quicker ones. What a quantum
 * computer could make of the curve is of no use without the key: the slower hybrid groups would add nothing.
 */
const suite = {
  ciphers: "TLS_AES_128_GCM_SHA256",
  ecdhCurve: "X25519",
  minVersion: "TLSv1.3" as SecureVersion,
  maxVersion: "TLSv1.3" as SecureVersion,
};

/** @param psk hex. */
export function pskClientOptions(identity: string, psk: string) {
  const key = Buffer.from(psk, "hex");
  return {
    ...suite,
    pskCallback: () => ({ psk: key, identity }),
    // Asked only where the key was not used (with it OpenSSL reports a resumed session): a server that shows
    // a certificate instead, were it signed by every authority there is, is not our peer.
    checkServerIdentity: () => new Error("the listener does not know this migration's key"),
    // A ticket would let a later connection in without the key.
    maxCachedSessions: 0,
  };
}

/** @param psk hex. */
export function pskServerOptions(identity: string, psk: string) {
  const key = Buffer.from(psk, "hex");
  return {
    ...suite,
    // null leaves the handshake without a key, and this server has no certificate: it fails.
    pskCallback: (_socket: unknown, offered: string) => (offered === identity ? key : null),
  };
}
