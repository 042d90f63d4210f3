export { type Recorder, type RecorderOptions, recorder } from "./recorder.ts";
export { type TestClock, testClock, turns } from "./test-clock.ts";
