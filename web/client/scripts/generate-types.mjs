// Owns turning the server's own JSON schemas into TypeScript: `npm run types` after a change of routes or messages.
//
// Small on purpose: the usual generators need the compiler interface that TypeScript 7 no longer has.
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const client = fileURLToPath(new URL('..', import.meta.url))
const project = fileURLToPath(new URL('../../..', import.meta.url))
const python = existsSync(`${project}/.venv/bin/python`) ? `${project}/.venv/bin/python` : 'python3'
const ask = (args) => JSON.parse(execFileSync(python, args, { cwd: project, encoding: 'utf8', maxBuffer: 1 << 26 }))

const nameOf = (ref) => ref.split('/').at(-1).replaceAll(/\W/g, '_')
const unique = (parts) => [...new Set(parts)].join(' | ')
const key = (name) => (/^[a-z_$][\w$]*$/i.test(name) ? name : JSON.stringify(name))

function typeOf(schema) {
  if (schema === true || schema === undefined) return 'unknown'
  if (schema.$ref) return nameOf(schema.$ref)
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return unique(schema.enum.map((value) => JSON.stringify(value)))
  const options = schema.anyOf ?? schema.oneOf
  if (options) return unique(options.map(typeOf))
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ')
  if (Array.isArray(schema.type)) return unique(schema.type.map((type) => typeOf({ ...schema, type })))
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return `(${typeOf(schema.items ?? true)})[]`
    case 'object':
      return objectOf(schema)
    default:
      return 'unknown'
  }
}

function objectOf(schema) {
  if (!schema.properties) {
    const values = schema.additionalProperties
    return values === false ? 'Record<string, never>' : `Record<string, ${values && values !== true ? typeOf(values) : 'unknown'}>`
  }
  const required = new Set(schema.required)
  const fields = Object.entries(schema.properties).map(
    ([name, body]) => `  ${key(name)}${required.has(name) ? '' : '?'}: ${typeOf(body)}`,
  )
  return fields.length ? `{\n${fields.join('\n')}\n}` : 'Record<string, never>'
}

const declarations = (schemas) =>
  Object.entries(schemas)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => `export type ${nameOf(name)} = ${typeOf(schema)}\n`)
    .join('\n')

function routesOf(paths) {
  const json = (part) => part?.content?.['application/json']?.schema
  const lines = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const good = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith('2'))?.[1]
      const body = json(operation.requestBody)
      const reply = json(good)
      return `  '${method.toUpperCase()} ${path}': { body: ${body ? typeOf(body) : 'undefined'}; reply: ${reply ? typeOf(reply) : 'undefined'} }`
    }),
  )
  return `export interface Routes {\n${lines.join('\n')}\n}\n`
}

function write(path, source, text) {
  writeFileSync(`${client}/${path}`, `// Generated from ${source} by \`npm run types\`; not edited by hand.\n\n${text}`)
}

const protocol = ask(['-m', 'signaling.protocol', '--json-schema'])
write('src/socket/protocol.d.ts', 'the table of socket messages', declarations(protocol.$defs))

const LIST_ROUTES = 'import json, web.openapi, web.routing; print(json.dumps(web.openapi.document(web.routing.collect())))'
const openapi = ask(['-c', LIST_ROUTES])
write('src/api/schema.d.ts', 'the route table', `${declarations(openapi.components.schemas)}\n${routesOf(openapi.paths)}`)
