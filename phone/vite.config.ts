import { defineConfig } from "vitest/config";
import { VitePWA } from "vite-plugin-pwa";

const manifest = {
  id: "/phone/",
  name: "网格本",
  short_name: "网格本",
  description: "网格员入户走访、消毒、物资发放登记，无信号也能用",
  lang: "zh-CN",
  start_url: "/phone/",
  scope: "/phone/",
  display: "standalone" as const,
  orientation: "portrait" as const,
  theme_color: "#0b6b57",
  background_color: "#f5f6f4",
  icons: [
    { src: "icon-192.png", sizes: "192x192", type: "image/png" },
    { src: "icon-512.png", sizes: "512x512", type: "image/png" },
    { src: "icon-maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" as const },
    { src: "icon.svg", sizes: "any", type: "image/svg+xml" },
  ],
};

export default defineConfig({
  base: "/phone/",
  // What stands in the page's head must be a file: the server's policy allows no inline script.
  build: { target: "es2022", outDir: "dist", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  define: { global: "globalThis" },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/sync": "http://127.0.0.1:8000" } },
  plugins: [
    VitePWA({
      registerType: "prompt",
      injectRegister: false,
      manifest,
      includeAssets: ["icon.svg", "apple-touch-icon.png"],
      workbox: {
        globPatterns: ["**/*.{js,css,html,svg,png,webmanifest}"],
        navigateFallback: "/phone/index.html",
        navigateFallbackAllowlist: [/^\/phone\//],
        cleanupOutdatedCaches: true,
        inlineWorkboxRuntime: true,
        sourcemap: false,
      },
    }),
  ],
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
