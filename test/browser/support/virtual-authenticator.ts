import type { CDPSession, Page } from "playwright-core";

/** Chromium's virtual authenticator for one tab, by CDP's WebAuthn domain. */
export class VirtualAuthenticator {
  private constructor(
    private readonly session: CDPSession,
    private readonly id: string,
  ) {}

  static async plugInto(page: Page, options: { verifiesUser?: boolean } = {}): Promise<VirtualAuthenticator> {
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable", { enableUI: false });
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        ctap2Version: "ctap2_1",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: options.verifiesUser ?? true,
        automaticPresenceSimulation: true,
        defaultBackupEligibility: true,
        defaultBackupState: true,
      },
    });
    return new VirtualAuthenticator(session, authenticatorId);
  }

  /** Sets the faults of the next answers. Without an argument, they are correct. */
  async override(bits: { isBogusSignature?: boolean; isBadUV?: boolean; isBadUP?: boolean } = {}): Promise<void> {
    await this.session.send("WebAuthn.setResponseOverrideBits", { authenticatorId: this.id, ...bits });
  }

  async credentials(): Promise<{ rpId?: string; isResidentCredential: boolean; userHandle?: string }[]> {
    const { credentials } = await this.session.send("WebAuthn.getCredentials", { authenticatorId: this.id });
    return credentials;
  }
}
