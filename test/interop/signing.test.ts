import { expect, test } from "bun:test";
import { join } from "node:path";
import { startApp } from "../support/app.ts";
import { newKey, sign } from "../support/signed.ts";
import { capture } from "./commands.ts";
import { missingFor, programs } from "./toolchains.ts";

/** Prints a token that the customer's backend has signed with a common library. */
const signers: Record<string, (env: Record<string, string | undefined>) => Promise<string>> = {
  PyJWT: async (env) => {
    const [python = "", ...rest] = (await programs.find(({ library }) => library === "PyJWT")?.prepare()) ?? [];
    expect(rest.length).toBeGreaterThan(0);
    return capture([python, "-B", join(import.meta.dir, "python/sign.py")], undefined, env);
  },
  "golang-jwt": (env) => capture(["go", "run", "-mod=readonly", "."], join(import.meta.dir, "go-sign"), env),
};

const isMissing = (library: string) => {
  const program = programs.find((candidate) => candidate.library.startsWith(library));
  return !process.env.CI && (!program || missingFor(program).length > 0);
};

for (const [library, signer] of Object.entries(signers)) {
  test.skipIf(isMissing(library))(
    `a token signed with ${library} acts as the same user as one signed with jose`,
    async () => {
      const app = await startApp();
      const key = await newKey(app, "signing");
      const token = await signer({
        ...process.env,
        SALLYPORT_API_KEY_ID: key.id,
        SALLYPORT_API_KEY_SECRET: key.secret,
        SALLYPORT_TENANT_ID: app.tenantId,
        SALLYPORT_NOW: String(Math.floor(app.clock.now() / 1_000)),
      });
      app.secrets.add(token.trim());
      const theirs = await app.client().bearer(token.trim()).get("/v1/auth/session");
      const ours = await app
        .client()
        .bearer(await sign(app, key, { identity: "user|42" }))
        .get("/v1/auth/session");
      expect([theirs.status, theirs.body.user.id]).toEqual([200, ours.body.user.id]);
      await app.close();
    },
    300_000,
  );
}
