import { useMemo } from "react";
import { useProvided } from "../context.ts";

/** Formats RFC 3339 as a day, and as a day and time, in the texts' language and the user's time zone. */
export function useDates(): { day: (time: string) => string; moment: (time: string) => string } {
  const { language } = useProvided().texts;
  return useMemo(() => {
    const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
    const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
    return { day: (time) => day.format(new Date(time)), moment: (time) => moment.format(new Date(time)) };
  }, [language]);
}
