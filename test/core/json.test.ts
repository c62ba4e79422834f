import { describe, expect, test } from "bun:test";
import { isTooDeep, parseJsonObject, parseUniqueJsonObject } from "../../src/core/json.ts";

describe("JSON objects", () => {
  test.each(["[]", "null", "1", '"a"', "", "{", "{}x", "\uFEFF{}"])("no object: %p", (text) => {
    expect(parseJsonObject(text)).toBeNull();
    expect(parseUniqueJsonObject(text)).toBeNull();
  });

  test.each([
    '{"a":1,"a":2}',
    '{"alg":"HS256","\\u0061lg":"none"}',
    `{"a":1,"a"${" ".repeat(200)}:2}`,
    '{"a":{"b":1,"b":2}}',
    '[{"a":1}]'.replace("[", '{"x":[').replace("]", ',{"c":1,"c":2}]}'),
    '{"__proto__":1,"__proto__":2}',
  ])("a member that stands twice is refused (RFC 7515 section 4): %p", (text) => {
    expect(parseJsonObject(text)).not.toBeNull();
    expect(parseUniqueJsonObject(text)).toBeNull();
  });

  test.each([
    '{"a":"a","b":["a","a"],"c":{"a":1}}',
    '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":[{"a":1},{"a":1}],"b\\\\":1}',
    "{}",
  ])("the same text elsewhere is no repetition: %p", (text) => {
    expect(parseUniqueJsonObject(text)).toEqual(JSON.parse(text));
  });

  test("__proto__ stays a member and changes no prototype", () => {
    const value = parseUniqueJsonObject('{"__proto__":{"admin":true}}');
    expect(value && Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value?.admin).toBeUndefined();
  });
});

describe("the depth of a JSON text", () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  test.each([
    ["32 levels pass", nested(32), false],
    ["33 levels do not", nested(33), true],
    ["objects count as arrays do", `${'{"a":['.repeat(17)}`, true],
    ["levels side by side do not add up", `[${Array(100).fill("[{}]").join(",")}]`, false],
    ["brackets in a string do not count", JSON.stringify("[".repeat(100)), false],
    ["an escaped quote does not end a string", JSON.stringify(`\\"${"[".repeat(100)}`), false],
    ["a string without an end hides the rest", `"${"[".repeat(100)}`, false],
    ["a bracket that was never opened lends no level", `${"]".repeat(1)}${"[".repeat(34)}`, true],
  ])("%s", (_name, text, expected) => {
    expect(isTooDeep(text)).toBe(expected);
  });
});
