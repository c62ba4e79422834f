import { useMemo } from "react";
import { useProvided } from "../context.ts";

/** RFC 3339 to a day, and to a day and time, in the language of the texts and the person's time zone. */
export function useDates(): { day: (time: string) => string; moment: (time: string) => string } {
  const { language } = useProvided().texts;
  return useMemo(() => {
    const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
    const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
    return { day: (time) => day.format(new Date(time)), moment: (time) => moment.format(new Date(time)) };
  }, [language]);
}
