import { describe, expect, test } from "bun:test";
import { parseUniqueObject } from "../../src/jose/json.ts";

describe("JSON objects without repeated members", () => {
  test.each(["[]", "null", "1", '"a"', "", "{", "{}x", "\uFEFF{}"])("no object: %p", (text) => {
    expect(parseUniqueObject(text)).toBeNull();
  });

  test.each([
    '{"a":1,"a":2}',
    '{"alg":"HS256","\\u0061lg":"none"}',
    `{"a":1,"a"${" ".repeat(200)}:2}`,
    '{"a":{"b":1,"b":2}}',
    '[{"a":1}]'.replace("[", '{"x":[').replace("]", ',{"c":1,"c":2}]}'),
    '{"__proto__":1,"__proto__":2}',
    '{"a\\\\":1,"a\\\\":2}',
    '{"\\"":1,"\\"":2}',
    '{"":1,\n"" :2}',
    '{"a":"\\\\","b":1,"b":2}',
  ])("a member that stands twice is refused (RFC 7515 section 4): %p", (text) => {
    expect(JSON.parse(text)).toBeObject();
    expect(parseUniqueObject(text)).toBeNull();
  });

  test.each([
    '{"a":"a","b":["a","a"],"c":{"a":1}}',
    '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":[{"a":1},{"a":1}],"b\\\\":1}',
    "{}",
  ])("the same text elsewhere does not repeat a member: %p", (text) => {
    expect(parseUniqueObject(text)).toEqual(JSON.parse(text));
  });

  test("a text that is nested deeper than the stack is refused", () => {
    const levels = 200_000;
    expect(parseUniqueObject(`{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`)).toBeNull();
  });

  test("__proto__ stays a member and changes no prototype", () => {
    const value = parseUniqueObject('{"__proto__":{"admin":true}}');
    expect(value && Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value?.admin).toBeUndefined();
  });
});
