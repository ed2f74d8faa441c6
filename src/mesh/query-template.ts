// Variables in what a threshold guard asks: `{{canary}}` and its like. All of them stand for names of resources, which
// are letters, digits, hyphens and underscores, or for a duration: none can end a text of PromQL or change a URL.

/** What may stand between double braces. */
export const templateVariables = ['mesh', 'virtualRouter', 'route', 'canary', 'baseline', 'window'] as const

/** `canary` and `baseline`: names of virtual nodes, several with a bar between them, as a regular expression takes them. */
export type TemplateValues = Readonly<Record<(typeof templateVariables)[number], string>>

const variablePattern = /\{\{\s*([^{}]*?)\s*\}\}/g

/** What stands between double braces and is no variable, and braces that are not closed, as they are written. */
export function unknownVariables(text: string): readonly string[] {
	const unknown = [...text.matchAll(variablePattern)].map(([, name = '']) => name).filter((name) => !isVariable(name))
	const rest = text.replaceAll(variablePattern, '')
	return [...unknown, ...(rest.match(/\{\{|\}\}/g) ?? [])]
}

/** The text with values in the place of its variables, each passed through `encode`. */
export function fillTemplate(text: string, values: TemplateValues, encode: (value: string) => string): string {
	return text.replaceAll(variablePattern, (written, name: string) =>
		isVariable(name) ? encode(values[name]) : written,
	)
}

function isVariable(name: string): name is keyof TemplateValues {
	return templateVariables.some((variable) => variable === name)
}
