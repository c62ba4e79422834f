import type { Migration } from "../columns.ts";

/** Removes the table of browser families: a device is known by its cookie, in account_devices. */
export const devicesByCookie: Migration = {
  id: 8,
  name: "devices-by-cookie",
  statements: () => ["DROP TABLE known_devices"],
};
