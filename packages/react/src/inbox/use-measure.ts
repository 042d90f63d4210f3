import { useEffect, useLayoutEffect } from "react";

/** `useLayoutEffect` in browsers. A server has nothing to measure or to show, and React complains of the question. */
export const useMeasure = typeof document === "undefined" ? useEffect : useLayoutEffect;
