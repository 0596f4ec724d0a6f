import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // The server gives the page at /graphql and everything else of the build at /graphiql/assets/.
  base: '/graphiql/',
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    rolldownOptions: {
      // React's "use client" and "use no memo", of which a bundle for the browser has no need.
      checks: { moduleLevelDirective: false },
    },
    // Monaco is one chunk of about 3 MB, loaded once and then cached for good.
    chunkSizeWarningLimit: 4_000,
  },
  worker: { format: 'es' },
  plugins: [gzipBeside()],
});

/** Writes each script and style sheet a second time as `.gz`, for the server to send where it is accepted. */
function gzipBeside(): Plugin {
  return {
    name: 'gzip-beside',
    async writeBundle({ dir = '' }, bundle) {
      const files = Object.values(bundle).filter((file) => /\.(js|css)$/.test(file.fileName));
      await Promise.all(
        files.map(async (file) => {
          const content = file.type === 'chunk' ? file.code : file.source;
          await writeFile(join(dir, `${file.fileName}.gz`), await promisify(gzip)(content));
        }),
      );
    },
  };
}
