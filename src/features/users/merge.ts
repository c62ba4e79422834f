import { isJsonObject, type JsonObject } from "../../core/json.ts";

/** JSON Merge Patch (RFC 7396) for objects: members are replaced one by one, null removes one, lists are replaced whole. */
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
