import type { Page } from "playwright-core";

/** A platform authenticator in software for this page (WebAuthn level 3, section 11: WebDriver's extension). */
export interface PasskeyDevice {
  /** The number of its passkeys. */
  count(): Promise<number>;
}

/**
 * It agrees whenever it is asked. So the page sees a browser without conditional mediation: otherwise the authenticator would
 * accept the page's own offer at once, before any click.
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
