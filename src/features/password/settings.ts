import { availableParallelism } from "node:os";
import { defineSettings, setting } from "../../core/config.ts";
import * as z from "../../core/zod.ts";

const rangeUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^?#]+\/$/.test(text) && URL.canParse(text), {
    message: "must be an address that ends with a slash, such as https://api.pwnedpasswords.com/range/",
  })
  .optional();

export const passwordSettings = defineSettings({
  password_min_length: {
    schema: setting.integer(8, 128).default(15),
    doc: "Minimum number of characters of a new password; 15 where it is the only factor (NIST SP 800-63B-4).",
  },
  password_breach_url: {
    schema: rangeUrl,
    doc: "Address of a service for breached passwords. It gets five characters of the SHA-1 of a new password. Default: none.",
  },
  password_hash_slots: {
    schema: setting.integer(1, 64).default(Math.max(1, availableParallelism())),
    doc: "Number of passwords that are hashed at the same time; each takes a core and 19 MiB.",
  },
  password_hash_queue: {
    schema: setting.integer(1, 100_000).default(200),
    doc: "Number of passwords that may wait to be hashed. Further ones are answered 503 with Retry-After.",
  },
});
