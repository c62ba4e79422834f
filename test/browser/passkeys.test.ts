import { describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { claimsOf } from "../support/tokens.ts";
import { browserTest } from "./support/chromium.ts";
import { becomes, PASSWORD, Profile, setUpStage, signUp as signUpUnproven } from "./support/stage.ts";
import { VirtualAuthenticator } from "./support/virtual-authenticator.ts";

const stage = setUpStage();

async function signUp(page: Page): Promise<string> {
  const email = await signUpUnproven(page);
  await stage.instance.prove();
  return email;
}

/** Registers a passkey as an application's script would. A refusal is the error's code or name. */
const register = (page: Page) =>
  page.evaluate(async () => {
    const { me } = window.sallyport.session.client;
    try {
      const { flow_id, public_key } = await me.passkeys.begin.mutate({});
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(public_key as never);
      const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
      return {
        passkey: await me.passkeys.complete.mutate({
          flow_id,
          response: credential.toJSON() as RegistrationResponseJSON,
        }),
        refused: null,
      };
    } catch (error) {
      const { code, name } = error as { code?: unknown; name: string };
      return { passkey: null, refused: typeof code === "string" ? code : name };
    }
  });

const signIn = (page: Page, mediation: "optional" | "conditional" = "optional") =>
  page.evaluate(async (how) => {
    const { auth } = window.sallyport.session.client;
    try {
      const { flow_id, public_key } = await auth.passkey.begin.mutate({});
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(public_key as never);
      const credential = (await navigator.credentials.get({ publicKey, mediation: how })) as PublicKeyCredential;
      const answer = await auth.passkey.complete.mutate({
        flow_id,
        response: credential.toJSON() as AuthenticationResponseJSON,
        delivery: "memory",
      });
      return { token: answer.status === "success" ? answer.access_token : null, refused: null };
    } catch (error) {
      const { code, name } = error as { code?: unknown; name: string };
      return { token: null, refused: typeof code === "string" ? code : name };
    }
  }, mediation);

const signOut = (page: Page) => page.evaluate(() => window.sallyport.session.signOut());

/** Makes a new user with a passkey, signed out again. */
async function withPasskey(page: Page, options: { verifiesUser?: boolean } = {}) {
  const authenticator = await VirtualAuthenticator.plugInto(page, options);
  const email = await signUp(page);
  await becomes(page, "signed-in");
  const { passkey, refused } = await register(page);
  if (!passkey) throw new Error(`no passkey was made: ${refused}`);
  await signOut(page);
  await becomes(page, "signed-out");
  return { authenticator, email, passkey };
}

describe("passkeys, by Chromium's virtual authenticator", () => {
  browserTest("registers a passkey, and signs in twice without a name", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const { authenticator, email, passkey } = await withPasskey(page);
    expect(passkey).toMatchObject({
      name: "Chrome on Linux",
      rp_id: "localhost",
      transports: ["internal"],
      backed_up: true,
      backup_eligible: true,
      last_used_at: null,
    });
    const [held] = await authenticator.credentials();
    expect(held).toMatchObject({ rpId: "localhost", isResidentCredential: true });
    const sids: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const { token, refused } = await signIn(page);
      expect(refused).toBeNull();
      const claims = claimsOf(token ?? "");
      expect(claims).toMatchObject({ email, auth_method: "passkey", aal: "aal2", amr: ["swk", "user", "mfa"] });
      expect(held?.userHandle).toBe(Buffer.from(String(claims.sub).replaceAll("-", ""), "hex").toString("base64"));
      sids.push(claims.sid);
    }
    expect(new Set(sids).size).toBe(2);
  });

  browserTest("offers it in the name field (conditional mediation)", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const { email } = await withPasskey(page);
    expect(await page.evaluate(() => PublicKeyCredential.isConditionalMediationAvailable())).toBe(true);
    const { token, refused } = await signIn(page, "conditional");
    expect(refused).toBeNull();
    expect(claimsOf(token ?? "")).toMatchObject({ email, aal: "aal2" });
  });

  browserTest("refuses a bogus signature and an absent user, and counts an unverified user as one factor", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const { authenticator } = await withPasskey(page);
    for (const bits of [{ isBogusSignature: true }, { isBadUP: true }]) {
      await authenticator.override(bits);
      expect(await signIn(page)).toEqual({ token: null, refused: "invalid_code" });
    }
    await authenticator.override({ isBadUV: true });
    const { token } = await signIn(page);
    expect(claimsOf(token ?? "")).toMatchObject({ aal: "aal1", amr: ["swk", "user"] });
    await authenticator.override();
    expect((await signIn(page)).refused).toBeNull();
  });

  browserTest("asks for it after the password", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const { authenticator, email } = await withPasskey(page);
    const afterPassword = () =>
      page.evaluate(
        async (login) => {
          const { auth } = window.sallyport.session.client;
          const first = await auth.login.mutate(login);
          if (first.status !== "mfa_required") return { methods: [], token: null, refused: null };
          const { methods, mfa_token } = first;
          const { passkey } = await auth.mfa.challenge.mutate({ mfa_token });
          if (!passkey) return { methods, token: null, refused: "no challenge" };
          const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(passkey.public_key as never);
          const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
          const response = credential.toJSON() as unknown as Record<string, unknown>;
          const proof = { mfa_token, method: "passkey" as const, flow_id: passkey.flow_id, response };
          return auth.mfa.verify.mutate(proof).then(
            ({ access_token }) => ({ methods, token: access_token, refused: null }),
            ({ code }) => ({ methods, token: null, refused: String(code) }),
          );
        },
        { email, password: PASSWORD },
      );
    const { methods, token } = await afterPassword();
    expect(methods).toEqual(["passkey"]);
    expect(claimsOf(token ?? "")).toMatchObject({ email, aal: "aal2", amr: ["pwd", "swk", "user", "mfa"] });
    await authenticator.override({ isBogusSignature: true });
    expect((await afterPassword()).refused).toBe("invalid_code");
  });

  browserTest("makes no second one on a device, and asks for the first before it adds another", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const authenticator = await VirtualAuthenticator.plugInto(page);
    await signUp(page);
    await becomes(page, "signed-in");
    expect((await register(page)).refused).toBeNull();
    // A session by password is no longer enough.
    expect((await register(page)).refused).toBe("insufficient_user_authentication");
    const twice = await page.evaluate(async () => {
      const { auth, me } = window.sallyport.session.client;
      const { passkey } = await auth.mfa.challenge.mutate({});
      if (!passkey) return "no challenge";
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(passkey.public_key as never);
      const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
      const response = credential.toJSON() as unknown as Record<string, unknown>;
      const stepped = await auth.mfa.verify.mutate({ method: "passkey", flow_id: passkey.flow_id, response });
      const { url, applicationId } = document.documentElement.dataset;
      const begun = await fetch(`${url}/v1/me/passkeys/begin`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${stepped.access_token}`,
          "content-type": "application/json",
          "x-application-id": applicationId ?? "",
        },
        body: "{}",
      });
      const { public_key } = (await begun.json()) as Awaited<ReturnType<typeof me.passkeys.begin.mutate>>;
      const creation = PublicKeyCredential.parseCreationOptionsFromJSON(public_key as never);
      return navigator.credentials.create({ publicKey: creation }).then(
        () => "made",
        (error: Error) => error.name,
      );
    });
    expect(twice).toBe("InvalidStateError");
    expect(await authenticator.credentials()).toHaveLength(1);
  });
});
