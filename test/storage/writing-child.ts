// A separate process that writes settings `<prefix>-<n>` and prints each number once its write is acknowledged.
import { writeSync } from "node:fs";
import { openStorage } from "../../src/storage/open.ts";
import { insertSetting } from "./statements.ts";

const [file = "", prefix = "", count = "0"] = process.argv.slice(2);
const storage = await openStorage({ kind: "sqlite", file });
let next = 0;

async function writer(): Promise<void> {
  while (next < Number(count)) {
    const number = next++;
    await storage.write(async (tx) => {
      await tx.first(insertSetting, { name: `${prefix}-${number}`, value: "1" });
      await tx.first(insertSetting, { name: `${prefix}-${number}-second`, value: "2" });
    });
    writeSync(1, `${number}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, writer));
await storage.close();
