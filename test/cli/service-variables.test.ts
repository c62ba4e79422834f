import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { sallyport, scratch, start, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

/** The variables that Kubernetes sets for the Services `sallyport` and `sallyport-metrics`. */
const SERVICES = {
  SALLYPORT_SERVICE_HOST: "10.0.0.7",
  SALLYPORT_SERVICE_PORT: "8080",
  SALLYPORT_SERVICE_PORT_HTTP: "8080",
  SALLYPORT_PORT: "tcp://10.0.0.7:8080",
  SALLYPORT_PORT_8080_TCP: "tcp://10.0.0.7:8080",
  SALLYPORT_PORT_8080_TCP_PROTO: "tcp",
  SALLYPORT_PORT_8080_TCP_PORT: "8080",
  SALLYPORT_PORT_8080_TCP_ADDR: "10.0.0.7",
  SALLYPORT_METRICS_SERVICE_HOST: "fd00::8",
  SALLYPORT_METRICS_PORT: "tcp://[fd00::8]:9090",
  SALLYPORT_METRICS_PORT_9090_TCP: "tcp://[fd00::8]:9090",
};
const names = Object.keys(SERVICES).sort();

test("every command works beside Kubernetes' variables for a service named sallyport, and serve logs them once", async () => {
  const directory = scratch();
  const data = join(directory, "data");
  const key = join(directory, "master.key");
  const env = { ...SERVICES, SALLYPORT_MASTER_KEY_FILE: key };
  const made = await sallyport(["init", "--data", data, "--new-master-key", key], { env: SERVICES });
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const listed = await sallyport(["app", "list", "--data", data, "--json"], { env });
  expect([listed.code, listed.stderr]).toEqual([0, ""]);
  const server = await start(["serve", "--data", data, "--port", "0"], { env });
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await server.stop();
  const lines = server
    .output()
    .split("\n")
    .filter((line) => line.includes("SALLYPORT_SERVICE_HOST"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: "warn", variables: names });
  expect(lines[0]?.msg).toContain("enableServiceLinks: false");
  const doctor = await sallyport(["doctor", "--data", data, "--port", "0", "--json"], { env });
  const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; level: string; message: string }[] };
  const about = findings.filter(({ message }) => message.includes("SALLYPORT_PORT_8080_TCP"));
  expect(about.map(({ check, level }) => [check, level])).toEqual([["settings", "ok"]]);
});

test("a value that is not a service's address is still an error of the setting", async () => {
  for (const value of ["http://10.0.0.7:8080", "tcp", "10.0.0.7:8080", "tcp:// 8080"]) {
    const ran = await sallyport(["serve", "--data", scratch()], { env: { SALLYPORT_PORT: value } });
    expect([value, ran.code]).toEqual([value, 1]);
    expect(ran.stderr).toContain("SALLYPORT_PORT");
  }
});
