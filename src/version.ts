/** As in package.json (a test compares); brokers see it in ApiVersions (KIP-511). */
export const VERSION = '0.1.0'
