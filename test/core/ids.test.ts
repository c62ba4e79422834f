import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/core/errors.ts";
import { isUuid, newId, parseId, patternOfId, requireId, shortId, toPrefixedId } from "../../src/core/ids.ts";

const UUID = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const PREFIXED = "usr_01HWY4MYSEFGESW2GZ5CY4TQKF";

describe("the two forms of an id", () => {
  test("convert into each other", () => {
    expect(toPrefixedId("user", UUID)).toBe(PREFIXED);
    expect(parseId("user", PREFIXED)).toBe(UUID);
  });

  test("parse to the plain lower-case UUID in either case", () => {
    for (const text of [UUID, UUID.toUpperCase(), PREFIXED, PREFIXED.toLowerCase(), PREFIXED.toUpperCase()]) {
      expect(parseId("user", text)).toBe(UUID);
    }
  });

  test("meet the pattern of the API's description, and nothing else does", () => {
    const own = new RegExp(patternOfId("user"));
    for (const text of [UUID, UUID.toUpperCase(), PREFIXED, PREFIXED.toLowerCase(), PREFIXED.replace("usr", "uSr")])
      expect([text, own.test(text), parseId("user", text)]).toEqual([text, true, UUID]);
    const over = `usr_8${"Z".repeat(25)}`;
    for (const text of ["", "0", `${UUID}0`, PREFIXED.replace("01H", "01I"), over, `x${PREFIXED}`]) {
      expect([text, own.test(text), parseId("user", text)]).toEqual([text, false, null]);
    }
    expect(own.test(PREFIXED.replace("usr", "app"))).toBe(false);
  });

  test("have a prefix for each kind, which no other kind accepts", () => {
    const prefixes = {
      tenant: "ten",
      application: "app",
      user: "usr",
      organization: "org",
      group: "grp",
      session: "ses",
      browserSession: "bse",
      apiKey: "key",
      connection: "con",
      resource: "res",
    } as const;
    for (const [kind, prefix] of Object.entries(prefixes) as [keyof typeof prefixes, string][]) {
      expect(toPrefixedId(kind, UUID)).toStartWith(`${prefix}_`);
      for (const other of Object.keys(prefixes) as (keyof typeof prefixes)[]) {
        expect(parseId(other, toPrefixedId(kind, UUID))).toBe(other === kind ? UUID : null);
      }
    }
  });

  test("survive a round trip at the edges of 128 bits", () => {
    for (const uuid of ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]) {
      expect(parseId("session", toPrefixedId("session", uuid))).toBe(uuid);
    }
    expect(toPrefixedId("session", "ffffffff-ffff-ffff-ffff-ffffffffffff")).toBe("ses_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  });

  test("parse to null unless the text is an id", () => {
    const wrong = [
      "",
      "usr_",
      PREFIXED.slice(0, -1),
      `${PREFIXED}0`,
      ` ${UUID}`,
      `${UUID}\n`,
      UUID.replaceAll("-", ""),
      `{${UUID}}`,
      `urn:uuid:${UUID}`,
      "usr_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
      "usr_01HWY4MYSEFGESW2GZ5CY4TQKI",
      "usr_01HWY4MYSEFGESW2GZ5CY4TQKU",
      "usr-01HWY4MYSEFGESW2GZ5CY4TQKF",
      PREFIXED.slice(4),
      "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6g",
      "０18f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
    ];
    for (const text of wrong) expect([text, parseId("user", text)]).toEqual([text, null]);
  });

  test("requireId names the field and the right prefix", () => {
    expect(requireId("session", UUID, "id")).toBe(UUID);
    try {
      requireId("session", PREFIXED, "id");
      throw new Error("took a user's id for a session's");
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(error.code).toBe("invalid_input");
      expect(error.details).toMatchObject([{ path: "id", reason: expect.stringContaining("ses_") }]);
    }
  });
});

test("new ids are UUIDv7 of the given time, and rise within the same millisecond (RFC 9562 section 5.7)", () => {
  const ms = Date.UTC(2026, 2, 1);
  const ids = Array.from({ length: 2_000 }, () => newId(ms));
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(2_000);
  for (const id of ids.slice(0, 10)) {
    expect(isUuid(id)).toBeTrue();
    expect(id[14]).toBe("7");
    expect("89ab").toContain(id[19] ?? "?");
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(ms);
  }
});

test("isUuid accepts only text", () => {
  for (const value of [null, undefined, 7, {}, [UUID], PREFIXED, `${UUID}\u0000`, ""])
    expect(isUuid(value)).toBeFalse();
});

test("the short id is the last twelve digits", () => {
  expect(shortId(UUID)).toBe("1f2b3c4d5e6f");
});
