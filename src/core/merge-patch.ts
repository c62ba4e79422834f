import { isJsonObject, type JsonObject } from "./json.ts";

/**
 * Applies a JSON Merge Patch (RFC 7396) to an object: replaces members singly, null removes a member, lists are replaced
 * whole.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else if (isJsonObject(value)) merged.set(name, mergePatch(objectOr(merged.get(name)), value));
    else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

function objectOr(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
