import { describe, expect, test } from "bun:test";
import { selectFiles } from "../../scripts/lib/test-files.ts";

const everything = selectFiles([], true);
const quick = selectFiles([], false);

/** Returns the folders below `test/` of a list of files. */
const foldersOf = (files: readonly string[]) => new Set(files.map((file) => file.split("/")[1]));

describe("the tests that a run selects", () => {
  test("with --all, nothing is left out, and each part that npm test leaves out has files", () => {
    expect(everything.leftOut).toEqual([]);
    const folders = foldersOf(everything.files);
    for (const folder of ["features", "browser", "interop", "examples", "binary", "docs"]) {
      expect([folder, folders.has(folder)]).toEqual([folder, true]);
    }
    expect([everything.drivesExecutable, everything.usesPostgres]).toEqual([true, true]);
  });

  test("without --all, the left-out parts are named, and neither the executable nor PostgreSQL is needed", () => {
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

  test("a path selects its files in every part", () => {
    expect(selectFiles(["./test/binary/clock.test.ts"], false)).toEqual({
      files: ["test/binary/clock.test.ts"],
      leftOut: ["PostgreSQL"],
      drivesExecutable: true,
      usesPostgres: false,
    });
  });

  test("PostgreSQL starts only for files that use it", () => {
    expect(selectFiles(["test/crypto/"], true).usesPostgres).toBe(false);
    expect(selectFiles(["test/storage/postgres.test.ts"], true).usesPostgres).toBe(true);
    expect(selectFiles(["test/features/mfa/"], true).usesPostgres).toBe(true);
  });
});
