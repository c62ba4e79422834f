import { defineSettings, setting } from "../../core/config.ts";

export const anonymousSettings = defineSettings({
  anonymous_retention_days: {
    schema: setting.integer(1, 36_500).default(30),
    doc: "Days after which an anonymous user without a live session is deleted.",
  },
});
