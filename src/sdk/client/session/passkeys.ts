/** The ceremonies are loaded when the first passkey is asked for: a page that offers none does not carry them. */
export const passkeyCeremonies = () => import("./webauthn.ts");
