// Writes biome.walls.json: the walls of scripts/walls.ts in the form that Biome reads.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { wallOverrides } from './walls.ts'

const root = join(import.meta.dirname, '..')
const file = join(root, 'biome.walls.json')

writeFileSync(file, JSON.stringify({ overrides: wallOverrides() }))
execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', file], { cwd: root, stdio: 'ignore' })
