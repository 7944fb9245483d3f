import { defineConfig } from "vitest/config";
export default defineConfig({ test: { include: ["tests/screenshots.ts", "tests/owner_screenshots.ts", "tests/play_screenshots.ts"], environment: "node", fileParallelism: false, testTimeout: 300_000, hookTimeout: 60_000 } });
