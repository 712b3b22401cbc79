/** Writes the archive of the image that docs/kubernetes.md uses: `node test/cluster/story/main.ts FILE`. */
import { buildStoryImage, STORY_IMAGE } from './image.ts';

const [archive = 'everything.tar'] = process.argv.slice(2);
await buildStoryImage(archive);
console.log(`${STORY_IMAGE}: ${archive}`);
