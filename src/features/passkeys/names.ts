import { describeDevice } from "../../identity/notices/device.ts";

/**
 * Passkey providers by the AAGUID that the authenticator states. Nothing attests the AAGUID: it gives a name to show, never a
 * reason to trust. The community keeps the full list (passkeydeveloper/passkey-authenticator-aaguids); these are the most
 * common.
 */
const KEEPERS: Readonly<Record<string, string>> = {
  "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "Apple Passwords",
  "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
  "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
  "9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
  "6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
  "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
  "d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
  "50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",
};

/** Names a passkey that the user has not named: by its provider, else by its kind, else by the device that made it. */
export function defaultName(passkey: {
  aaguid: string;
  transports: readonly string[];
  userAgent: string | null;
}): string {
  const { transports } = passkey;
  const keeper = KEEPERS[passkey.aaguid];
  if (keeper !== undefined) return keeper;
  if (!transports.includes("internal")) {
    if (transports.some((transport) => ["usb", "nfc", "ble", "smart-card"].includes(transport))) return "Security key";
    if (transports.includes("hybrid")) return "Phone or tablet";
  }
  return describeDevice(passkey.userAgent) ?? "Passkey";
}
