import { expect } from "bun:test";
import { proceduresOf } from "../../src/rpc/invoke.ts";
import { scenarios } from "../support/scenarios.ts";

/** The words of zod's own messages in English. */
const LIBRARY =
  /expected|received|Too (?:small|big)|Invalid|Unrecognized|must match|>=|<=|>1|<1|undefined|NaN|zod|wrong form|another type/;
const WRONG = [undefined, null, "", " ", 0, 1e9, 1.5, -1, true, [], [1], {}, { a: 1 }, "x".repeat(9_000), "\u0000"];

scenarios("an input that is not valid", (t) => {
  t.test("is refused in plain words on every procedure, for every field", async (app) => {
    const reasons = new Map<string, string>();
    const [session, key] = [
      app.client().bearer((await app.signedIn()).tokens.accessToken),
      app.client().bearer(app.secretKey),
    ];
    for (const [name, { _def }] of Object.entries(proceduresOf(app.app.router))) {
      const input = _def.inputs[0] as { def: Definition } | undefined;
      if (!input) continue;
      const client = _def.meta?.access.kind === "key" ? key : session;
      const call = (value: unknown) => (_def.type === "query" ? client.query(name, value) : client.mutate(name, value));
      const fields = Object.keys(bare(input.def).shape ?? {});
      const example = (_def.meta?.example?.input ?? {}) as object;
      const values = [[], 7, "text", null, { unheard_of: 1 }, {}];
      for (const field of fields) for (const wrong of WRONG) values.push({ ...example, [field]: wrong });
      for (const value of values) {
        app.clock.advance(1_000);
        const { text } = await call(value);
        const { details } = JSON.parse(text).error?.data?.error ?? {};
        if (!Array.isArray(details)) continue;
        for (const { path, reason } of details) {
          const others = details.filter((other) => other.path === path && other.reason !== reason);
          // A field of a wrong type has no other fault.
          if (/^(?:is needed|must be (?:text|a list|a JSON object))$/.test(reason))
            expect([name, path, others]).toEqual([name, path, []]);
          reasons.set(reason, `${name} ${path}`);
        }
      }
    }
    expect([...reasons].filter(([reason]) => LIBRARY.test(reason))).toEqual([]);
    for (const reason of [
      "is needed",
      "must be text",
      "must not be empty",
      "must be a JSON object",
      "is not known here",
    ]) {
      expect([...reasons.keys()]).toContain(reason);
    }
  });
});

interface Definition {
  innerType?: { def: Definition };
  shape?: object;
}

/** Returns the definition inside `optional`. */
function bare(def: Definition): Definition {
  return def.innerType ? bare(def.innerType.def) : def;
}
