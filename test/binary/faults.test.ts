import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE, prepare, type Running, sallyport, start, tidy } from "../support/cli.ts";
import { type Disk, MAY_MOUNT, mountDisk } from "../support/disk.ts";
import { eventually } from "../support/eventually.ts";
import { call, jwks, refresh, session, signIn, signUp } from "../support/people.ts";
import { testIf } from "../support/report.ts";

const program = EXECUTABLE;
const disks: Disk[] = [];
const diskTest = testIf(MAY_MOUNT, "needs the right to mount a tmpfs");
const straceTest = testIf(Bun.which("strace") !== null && MAY_MOUNT, "needs strace and the right to attach it");

setDefaultTimeout(120_000);
afterAll(async () => {
  for (const disk of disks) disk.unmount();
  await tidy();
});

function disk(megabytes: number): Disk {
  const made = mountDisk(megabytes);
  disks.push(made);
  return made;
}

/** Expects that each request with a write is refused as a whole, and says so. */
async function expectNoWrites(server: Running, refreshToken: string): Promise<void> {
  const answers = {
    refresh: await refresh(server.url, refreshToken),
    "sign-in": await signIn(server.url, "ada@example.com"),
    "sign-up": await signUp(server.url, "late@example.com"),
  };
  for (const [what, { status, body, headers }] of Object.entries(answers)) {
    expect({ what, status, code: body.error?.code }).toEqual({ what, status: 503, code: "storage_unavailable" });
    expect(headers.get("retry-after")).not.toBeNull();
  }
}

/** Expects that requests without a write still work: token checks, keys, liveness, the list of users. */
async function expectReads(server: Running, accessToken: string, secretKey: string): Promise<void> {
  expect((await session(server.url, accessToken)).status).toBe(200);
  expect((await jwks(server.url)).body.keys).toHaveLength(1);
  expect((await call(server.url, "/healthz")).status).toBe(200);
  const users = await call(server.url, "/v1/users", { bearer: secretKey });
  expect(users.body.data.map((user) => user.email)).toEqual(["ada@example.com"]);
}

diskTest("a full disk stops writes but not reads, and writes resume when space is free", async () => {
  const small = disk(8);
  const made = await prepare({ program }, small.path);
  const server = await start(["serve", "--port", "0"], { program, env: made.env });
  const { body } = await signUp(server.url, "ada@example.com");
  expect((await call(server.url, "/v1/users", { bearer: made.secretKey })).status).toBe(200);
  small.fill();
  let token = body.refresh_token;
  // The free space in the last page of the log may take a few more writes.
  await eventually(async () => {
    const next = await refresh(server.url, token);
    if (next.status === 200) token = next.body.refresh_token;
    expect(next.status).toBe(503);
  });
  await expectNoWrites(server, token);
  await expectReads(server, body.access_token, made.secretKey);
  const ready = await call(server.url, "/readyz");
  expect([ready.status, ready.body.error?.code]).toEqual([503, "storage_unavailable"]);
  for (let times = 0; times < 20; times++) await refresh(server.url, token);
  // One line a fault, in ten seconds. SQLite names a full disk in two ways.
  const refusals = server
    .output()
    .split("\n")
    .filter((line) => line.includes("storage_unavailable"));
  expect(refusals.length).toBeLessThan(5);
  expect(refusals.join()).not.toContain("stack");
  small.free();
  const back = await eventually(async () => {
    const next = await refresh(server.url, token);
    expect(next.status).toBe(200);
    return next;
  });
  expect((await signUp(server.url, "bob@example.com")).status).toBe(201);
  expect((await call(server.url, "/readyz")).status).toBe(200);
  expect(await server.stop()).toBe(0);
  const again = await start(["serve", "--port", "0"], { program, env: made.env });
  expect((await refresh(again.url, back.body.refresh_token)).status).toBe(200);
  for (const email of ["ada@example.com", "bob@example.com"]) {
    expect((await signIn(again.url, email)).status).toBe(200);
  }
  expect((await signIn(again.url, "late@example.com")).status).toBe(401);
  await again.stop();
});

diskTest("init, backup and restore leave no partial files on a full disk", async () => {
  const small = disk(8);
  const made = await prepare({ program }, small.path);
  const elsewhere = await prepare({ program });
  const file = join(elsewhere.directory, "backup.db");
  expect(await sallyport(["backup", file], { program, env: made.env })).toMatchObject({ code: 0 });
  small.fill();
  const before = readdirSync(small.path).sort();
  const within = join(small.path, "more");
  const init = await sallyport(["init", "--data", within], {
    program,
    env: { SALLYPORT_MASTER_KEY_FILE: elsewhere.keyFile },
  });
  expect(init).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/full|ENOSPC/) });
  const backup = await sallyport(["backup", join(small.path, "copy.db")], { program, env: elsewhere.env });
  expect(backup).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("no room") });
  const restore = await sallyport(["restore", file], { program, env: { ...made.env, SALLYPORT_DATA: within } });
  expect(restore).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/full|ENOSPC/) });
  expect(readdirSync(small.path).sort()).toEqual(before);
});

diskTest("a start reports a full disk", async () => {
  const small = disk(8);
  const made = await prepare({ program }, small.path);
  small.fill();
  const ran = await sallyport(["serve", "--port", "0"], { program, env: made.env });
  expect(ran).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("is full: free some space") });
});

diskTest("each command reports a read-only disk and leaves no file", async () => {
  const fixed = disk(8);
  const made = await prepare({ program }, fixed.path);
  fixed.readOnly();
  for (const args of [
    ["serve", "--port", "0"],
    ["app", "list"],
    ["keys", "rotate"],
  ]) {
    const ran = await sallyport(args, { program, env: made.env });
    expect({ args, ...ran }).toMatchObject({ args, code: 1, stdout: "" });
    expect(ran.stderr).toContain("is not writable");
    expect(ran.stderr.trim().split("\n")).toHaveLength(1);
  }
  const within = join(fixed.path, "new");
  const init = await sallyport(["init", "--data", within, "--new-master-key", join(made.directory, "other.key")], {
    program,
  });
  expect(init).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("EROFS") });
  const restore = await sallyport(["restore", join(made.data, "sallyport.db")], {
    program,
    env: { ...made.env, SALLYPORT_DATA: within },
  });
  expect(restore).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("EROFS") });
  expect(existsSync(within)).toBe(false);
});

straceTest(
  "after a failed flush the process writes nothing more, says so and ends; writes resume after a restart",
  async () => {
    const made = await prepare({ program });
    const server = await start(["serve", "--port", "0"], { program, env: made.env });
    const { body } = await signUp(server.url, "ada@example.com");
    const tracer = Bun.spawn(
      [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync,fsync",
        "-e",
        "inject=fdatasync,fsync:error=EIO",
      ].concat(["-p", String(server.pid)]),
      { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    try {
      // Refreshes one at a time until the tracer holds the thread that flushes.
      let token = body.refresh_token;
      const lost = await eventually(async () => {
        const next = await refresh(server.url, token);
        if (next.status === 200) token = next.body.refresh_token;
        expect(next.status).toBe(503);
        return next;
      });
      // The row is committed and may be on the disk, so "nothing was changed" could be false.
      expect(lost.body.error.code).toBe("outcome_unknown");
      tracer.kill("SIGINT");
      await tracer.exited;
      expect(await server.exited).toBe(1);
      const fatal = server
        .output()
        .split("\n")
        .filter((line) => line.includes('"level":"fatal"'));
      expect(fatal).toHaveLength(1);
      expect(fatal[0]).toContain("EIO");
      expect(fatal[0]).toContain("its supervisor restarts it");
      const again = await start(["serve", "--port", "0"], { program, env: made.env });
      expect((await signIn(again.url, "ada@example.com")).status).toBe(200);
      expect((await refresh(again.url, token)).status).toBe(200);
      await again.stop();
    } finally {
      tracer.kill("SIGKILL");
      await tracer.exited;
    }
  },
);
