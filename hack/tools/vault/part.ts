/** Vault, and the plugin by which it makes users of PostgreSQL. */
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { cachedPart } from '../part.ts';

const VERSION = '1.21.0';

export const vault = cachedPart(cacheDirectory, {
  name: 'vault',
  version: VERSION,
  about: `Vault ${VERSION} and its PostgreSQL plugin`,
  minutes: 5,
  // Vault runs every program of its plugin folder that it is told of: the plugin has one to itself.
  files: ['vault', 'plugins/postgresql-database-plugin'],
  build: (directory, say) =>
    buildGo(
      {
        module: 'vault',
        programs: [
          { name: 'vault', path: 'github.com/hashicorp/vault' },
          {
            name: 'plugins/postgresql-database-plugin',
            path: 'github.com/hashicorp/vault/plugins/database/postgresql/postgresql-database-plugin',
          },
        ],
        // Without the engines of the clouds and without the web pages, which are not in its module.
        tags: ['minimal'],
      },
      directory,
      say,
    ),
});
