import { describe, expect, test } from "bun:test";
import { selectFiles } from "../../scripts/lib/test-files.ts";

const everything = selectFiles([], true);
const quick = selectFiles([], false);

/** The folders below `test/` that a list of files is from. */
const foldersOf = (files: readonly string[]) => new Set(files.map((file) => file.split("/")[1]));

describe("the tests that a run selects", () => {
  test("with --all there is nothing left out, and each part that npm test leaves out has files", () => {
    expect(everything.leftOut).toEqual([]);
    const folders = foldersOf(everything.files);
    for (const folder of ["features", "browser", "interop", "examples", "binary", "docs"]) {
      expect([folder, folders.has(folder)]).toEqual([folder, true]);
    }
    expect([everything.drivesExecutable, everything.usesPostgres]).toEqual([true, true]);
  });

  test("without it, the parts are left out by name, and neither executable nor PostgreSQL is needed", () => {
    const parts = [
      "PostgreSQL",
      "browser",
      "other languages",
      "examples",
      "blocks of the guides",
      "compiled executable",
    ];
    expect(quick.leftOut).toEqual(parts);
    const leftOut = new Set(everything.files).difference(new Set(quick.files));
    expect([...foldersOf([...leftOut])].sort()).toEqual(["binary", "browser", "docs", "examples", "interop"]);
    expect([quick.drivesExecutable, quick.usesPostgres]).toEqual([false, false]);
  });

  test("a path selects its files, in every part", () => {
    expect(selectFiles(["./test/binary/clock.test.ts"], false)).toEqual({
      files: ["test/binary/clock.test.ts"],
      leftOut: ["PostgreSQL"],
      drivesExecutable: true,
      usesPostgres: false,
    });
  });

  test("PostgreSQL is started only for files that ask for it", () => {
    expect(selectFiles(["test/crypto/"], true).usesPostgres).toBe(false);
    expect(selectFiles(["test/storage/postgres.test.ts"], true).usesPostgres).toBe(true);
    expect(selectFiles(["test/features/mfa/"], true).usesPostgres).toBe(true);
  });
});
