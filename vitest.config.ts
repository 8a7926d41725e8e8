import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/brokers/**'], testTimeout: 20_000 } },
      {
        test: {
          name: 'brokers',
          include: ['test/brokers/**/*.test.ts'],
          globalSetup: [],
          testTimeout: 180_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
