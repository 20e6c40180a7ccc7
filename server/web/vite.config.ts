import { defineConfig } from "vite";

// Fixed entry name: the templates link it and add the file's digest to the address themselves.
export default defineConfig({
  base: "./",
  build: {
    outDir: "static/dist",
    emptyOutDir: true,
    target: "es2021",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      input: { pages: "src/pages.ts" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
