import { expect } from "bun:test";
import { storageUnavailable } from "../../src/storage/errors.ts";
import { scenarios } from "../support/scenarios.ts";

scenarios("probes and metrics", (t) => {
  t.test("/healthz and /readyz answer under any host name and address", async (app) => {
    for (const host of ["anything.internal", "10.0.0.1:8080", new URL(app.publicUrl).host]) {
      const live = await app.client({ host }).get("/healthz");
      expect([live.status, live.text]).toEqual([200, '{"status":"ok"}']);
      const ready = await app.client({ host }).get("/readyz");
      expect([ready.status, ready.text]).toEqual([200, '{"status":"ready"}']);
    }
  });

  t.test(
    "/readyz answers 503 as soon as the process is asked to stop, while /healthz still answers 200",
    async (app) => {
      app.app.drain();
      const ready = await app.client().get("/readyz");
      expect([ready.status, ready.code, ready.headers.get("retry-after")]).toEqual([503, "overloaded", "1"]);
      expect((await app.client().get("/healthz")).status).toBe(200);
    },
  );

  t.test("/readyz writes a row, at most once a second, and forgets no failure", async (app) => {
    const written = async () => {
      const query = app.storage.read.kysely.selectFrom("counters").select("value").where("name", "=", "probe");
      return (await query.executeTakeFirst())?.value ?? 0;
    };
    for (let times = 0; times < 5; times++) expect((await app.client().get("/readyz")).status).toBe(200);
    expect(await written()).toBe(1);
    await Bun.sleep(1_050);
    app.storage.probe = () => Promise.reject(storageUnavailable(new Error("the disk is full")));
    for (let times = 0; times < 3; times++) {
      const ready = await app.client().get("/readyz");
      expect([ready.status, ready.code]).toEqual([503, "storage_unavailable"]);
    }
    const lines = app.log.lines.filter(({ fields }) => fields.code === "storage_unavailable");
    expect(lines).toMatchObject([{ level: "error", fields: { path: "/readyz", reason: "the disk is full" } }]);
  });

  t.test("/metrics does not exist without a configured token", async (app) => {
    for (const headers of [{}, { authorization: "Bearer " }, { authorization: "Bearer undefined" }]) {
      expect((await app.client(headers).get("/metrics")).status).toBe(404);
    }
  });

  t.test(
    "/metrics needs its own token, and its counts identify nobody",
    async (app) => {
      const user = await app.user();
      await app.client().post("/v1/auth/login", user.login);
      for (const authorization of [
        "",
        "Bearer",
        "Bearer metrics-token-0123456",
        `Bearer ${app.secretKey}`,
        "metrics-token-01234567",
      ]) {
        expect((await app.client({ authorization }).get("/metrics")).status).toBe(401);
      }
      const answer = await app.client({ authorization: "Bearer metrics-token-01234567" }).get("/metrics");
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
      expect(answer.text).toContain('sallyport_http_requests_total{status="200"} 1');
      expect(answer.text).toContain('sallyport_http_requests_total{status="401"} 5');
      expect(answer.text).toContain("sallyport_password_hashes_total 1");
      expect(answer.text).not.toContain(user.email);
      // Prometheus text format: every line is a comment or a sample.
      for (const line of answer.text.trimEnd().split("\n")) {
        expect(line).toMatch(/^# (HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(\{[a-z]+="[^"]+"\})? [0-9.e+-]+$/);
      }
    },
    { settings: { metrics_token: "metrics-token-01234567" } },
  );

  t.test(
    "log_level debug logs every request, with its path and no query (ASVS 16.2.5)",
    async (app) => {
      const user = await app.user();
      await app.client().post("/v1/auth/login?secret=in-the-query", user.login);
      const told = app.log.lines.filter(({ message }) => message === "Request").at(-1);
      expect(told).toMatchObject({
        level: "debug",
        fields: { method: "POST", path: "/v1/auth/login", status: 200, address: "127.0.0.1" },
      });
      expect(app.log.text()).not.toContain("in-the-query");
    },
    { settings: { log_level: "debug" } },
  );

  t.test("other log levels log no request", async (app) => {
    await app.client().get("/healthz");
    expect(app.log.lines).toEqual([]);
  });
});
