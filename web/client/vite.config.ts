// Owns how the client is built and tested; in development, calls to the server are passed on to port 8000.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = 'http://localhost:8000'

export default defineConfig({
  plugins: [react()],
  // The content policy allows scripts from our own origin only: nothing is inlined.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900 },
  server: {
    proxy: {
      '/api': server,
      '/healthz': server,
      '/socket.io': { target: server, ws: true },
    },
  },
})
