import { defineConfig } from "vitest/config";
// One browser and one server a file; the files run one after another.
export default defineConfig({ test: { include: ["tests/browser/**/*.test.ts"], environment: "node", fileParallelism: false, testTimeout: 30_000, hookTimeout: 60_000 } });
