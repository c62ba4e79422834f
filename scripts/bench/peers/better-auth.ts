/**
 * better-auth, set up as in its documentation, on the same Bun, with SQLite in WAL mode and full durability, and with
 * argon2id and the same parameters instead of its scrypt. Arguments: directory with its `node_modules`, database file,
 * users, password.
 */
import { Database } from "bun:sqlite";
import { createRequire } from "node:module";
import { join } from "node:path";
import { hash, verify } from "@node-rs/argon2";

const [modules = "", file = "", users = "0", password = ""] = process.argv.slice(2);
const load = createRequire(join(modules, "package.json"));
const { betterAuth } = await import(load.resolve("better-auth"));
const { getMigrations } = await import(load.resolve("better-auth/db/migration"));

const database = new Database(file, { create: true });
database.run("PRAGMA journal_mode = WAL");
database.run("PRAGMA synchronous = FULL");
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const options = {
  database,
  baseURL: "http://localhost",
  secret: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url"),
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (text: string) => hash(text, cost),
      verify: (given: { hash: string; password: string }) => verify(given.hash, given.password),
    },
  },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
const cookies: string[] = [];
for (let index = 0; index < Number(users); index++) {
  const body = { email: `person-${index}@example.com`, name: `Person ${index}`, password };
  const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true });
  const given: string[] = headers.getSetCookie();
  cookies.push(given.map((cookie) => cookie.slice(0, cookie.indexOf(";"))).join("; "));
}
// Its endpoint also answers 200, with null, without a session. The benchmark would count that as work.
const known = await auth.api.getSession({ headers: new Headers({ cookie: cookies[0] ?? "" }) });
if (!known?.user) throw new Error("better-auth does not know the session that it made");
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => auth.handler(request) });
console.log(JSON.stringify({ port: server.port, cookies }));
