import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { EXECUTABLE, prepare, sallyport, scratch, start, tidy } from "../support/cli.ts";
import { type Disk, MAY_MOUNT, mountDisk } from "../support/disk.ts";
import { signIn, signUp } from "../support/people.ts";
import { testIf } from "../support/report.ts";

const program = EXECUTABLE;
const disks: Disk[] = [];
const diskTest = testIf(MAY_MOUNT, "needs the right to mount a tmpfs");

setDefaultTimeout(120_000);
afterAll(async () => {
  for (const disk of disks) disk.unmount();
  await tidy();
});

/** Ways in which nothing can be unpacked into the directory for temporary files. */
const faults: Record<string, (disk: Disk) => void> = {
  full: (disk) => disk.fill(),
  "read-only": (disk) => disk.readOnly(),
  "mounted noexec": (disk) => disk.noExecution(),
};

/** Prepares data, serves it, and tries a password. Returns the warnings about the native module. */
async function tryPassword(env: Record<string, string>): Promise<Record<string, unknown>[]> {
  const made = await prepare({ program, env });
  const server = await start(["serve", "--port", "0"], { program, env: { ...made.env, ...env } });
  expect((await signUp(server.url, "ada@example.com")).status).toBeLessThan(300);
  expect((await signIn(server.url, "ada@example.com")).status).toBe(200);
  expect((await signIn(server.url, "ada@example.com", "not-the-right-password")).status).toBe(401);
  await server.stop();
  return server
    .output()
    .split("\n")
    .filter((line) => line.includes("native module"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

for (const [name, break_] of Object.entries(faults)) {
  diskTest(
    `with a directory for temporary files that is ${name}, everything runs, and one line says what to do`,
    async () => {
      const disk = mountDisk(1);
      disks.push(disk);
      break_(disk);
      const env = { TMPDIR: disk.path };
      expect(await sallyport(["version"], { program, env })).toMatchObject({ code: 0, stderr: "" });
      const warnings = await tryPassword(env);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatchObject({ level: "warn", msg: expect.stringContaining("Set BUN_TMPDIR") as unknown });
      expect(String(warnings[0]?.reason).length).toBeLessThan(300);
      expect(await tryPassword({ ...env, BUN_TMPDIR: scratch() })).toEqual([]);
    },
  );
}
