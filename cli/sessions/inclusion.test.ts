import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompactRange, leafHash } from '../../operator/record/merkle.ts';
import { ProofTree, rootFromPath } from './inclusion.ts';

const leafOf = (n: number) => leafHash(Buffer.from(String(n)));

function treeOf(size: number): CompactRange {
  const tree = new CompactRange();
  for (let n = 0; n < size; n += 1) tree.append(leafOf(n));
  return tree;
}

test('every tracked leaf has a path to the root, and no other leaf, place or size has', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 70 })
        .chain((size) =>
          fc.tuple(fc.constant(size), fc.nat(size - 1), fc.uniqueArray(fc.nat(size - 1), { minLength: 1 })),
        ),
      ([size, dropped, tracked]) => {
        // A log may begin later: leaves before `dropped` are known by their subtrees only.
        const proofs = new ProofTree(treeOf(dropped).subtrees);
        const wanted = tracked.filter((n) => n >= dropped).sort((a, b) => a - b);
        for (let n = dropped; n < size; n += 1) proofs.append(leafOf(n), wanted.includes(n));
        const { root, paths } = proofs.finish();
        expect(root).toEqual(treeOf(size).root());
        expect(paths).toHaveLength(wanted.length);
        for (const [i, path] of paths.entries()) {
          const index = wanted[i] ?? -1;
          expect(rootFromPath(leafOf(index), { index, size }, path)).toEqual(root);
          expect(rootFromPath(leafOf(index + 1), { index, size }, path)).not.toEqual(root);
          if (size > 1)
            expect(rootFromPath(leafOf(index), { index: (index + 1) % size, size }, path)).not.toEqual(root);
        }
      },
    ),
  );
});

test('a path that is too short or too long leads nowhere', () => {
  const proofs = new ProofTree([]);
  for (let n = 0; n < 6; n += 1) proofs.append(leafOf(n), n === 2);
  const { root, paths } = proofs.finish();
  const [path = []] = paths;
  const at = { index: 2, size: 6 };
  expect(rootFromPath(leafOf(2), at, path)).toEqual(root);
  expect(rootFromPath(leafOf(2), at, path.slice(0, -1))).toBeUndefined();
  expect(rootFromPath(leafOf(2), at, [...path, leafOf(0)])).toBeUndefined();
  expect(rootFromPath(leafOf(2), { index: 6, size: 6 }, path)).toBeUndefined();
});
