import { describe } from "bun:test";
import { openStorage } from "../../src/storage/open.ts";
import { storageConformance } from "./conformance.ts";

describe("memory", () => {
  storageConformance(() => openStorage({ kind: "memory" }));
});
