export type { Alarm, AlarmEvents, AlarmKind, AlarmLines, AlarmOptions } from "./operator/index.ts";
