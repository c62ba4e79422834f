import type { Page } from "playwright-core";

/** A platform authenticator in software, which this page asks (WebAuthn level 3, section 11: WebDriver's extension). */
export interface PasskeyDevice {
  /** How many passkeys it holds. */
  count(): Promise<number>;
}

/**
 * It is touched whenever it is asked. So the page is told that this browser has no conditional mediation: offers that the page
 * makes by itself would be taken at once, before anybody clicks.
 */
export async function addPasskeyDevice(page: Page): Promise<PasskeyDevice> {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  });
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
      automaticPresenceSimulation: true,
    },
  });
  return {
    count: async () => (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
  };
}
