import { defineConfig } from 'vite';

export default defineConfig({
  // The service serves `dist/` below this path.
  base: '/explorer/',
  build: {
    target: 'es2022',
    // Inline styles and scripts would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco, the editor, is one large piece by nature.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      onLog(level, log, handle) {
        // "use client" in dependencies is meant for servers that render React; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') {
          handle(level, log);
        }
      },
    },
  },
  worker: { format: 'es' },
});
