export { type OfAnyProvider, type Recorder, type RecorderAnswer, type RecorderOptions, recorder } from "./recorder.ts";
export { type TestClock, testClock, turns } from "./test-clock.ts";
