import type { Page } from "playwright-core";

/** A platform authenticator in software, which this page asks (WebAuthn level 3, section 11: WebDriver's extension). */
export interface PasskeyDevice {
  /**
   * Somebody touches it while `act` runs. At other times nobody does: a page that offers passkeys by itself (conditional
   * mediation) would be answered at once.
   */
  touched<T>(act: () => Promise<T>): Promise<T>;
  /** How many passkeys it holds. */
  count(): Promise<number>;
}

export async function addPasskeyDevice(page: Page): Promise<PasskeyDevice> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: false,
    },
  });
  const touch = (enabled: boolean) =>
    devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  return {
    touched: async (act) => {
      await touch(true);
      const result = await act();
      await touch(false);
      return result;
    },
    count: async () => (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
  };
}
