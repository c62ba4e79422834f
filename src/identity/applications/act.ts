import type { ActIn } from "../audit/act.ts";
import type { Application } from "./application.ts";

/** An act in an application. The gate makes it. */
export type Act = ActIn<Application>;
