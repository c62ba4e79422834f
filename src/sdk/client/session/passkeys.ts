/** Loads the ceremonies with the first passkey request, so a page without passkeys does not carry them. */
export const passkeyCeremonies = () => import("./webauthn.ts");
