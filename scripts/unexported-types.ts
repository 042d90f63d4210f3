import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** One entry point of a built package. */
export interface EntryPoint {
  /** The path of its declarations. */
  readonly types: string;
  /** The path of its code as an ES module. */
  readonly code: string;
}

/** Reads the declarations of all packages at once: what they have in common is read and bound only once. */
export function declarationsOf(entryPoints: readonly EntryPoint[]): ts.Program {
  return ts.createProgram(
    entryPoints.map(({ types }) => types),
    { module: ts.ModuleKind.Node16, target: ts.ScriptTarget.ES2023, types: [], skipLibCheck: true, noEmit: true },
  );
}

/** A built package. */
export interface Built {
  readonly directory: string;
  readonly entryPoints: readonly EntryPoint[];
}

/**
 * Lists the types that the public signatures of a package name, directly or through each other, and that none of its
 * entry points exports: a host that wants to write such a type down cannot. A class that is exported as a type alone has
 * no public constructor.
 */
export function unexportedTypes(program: ts.Program, { directory, entryPoints }: Built): string[] {
  const checker = program.getTypeChecker();
  const exported = new Set<ts.Symbol>();
  for (const { types } of entryPoints) {
    const file = program.getSourceFile(types);
    const module = file && checker.getSymbolAtLocation(file);
    if (module === undefined) {
      throw new Error(`There are no declarations in ${types}. Build the package first.`);
    }
    addExports(module, { checker, exported });
  }
  const values = new Set(entryPoints.flatMap(({ code }) => exportedValues(code)));
  const isOwn = (declaration: ts.Declaration) => declaration.getSourceFile().fileName.startsWith(join(directory, "dist/"));
  const named = ({ name, declarations = [] }: ts.Symbol) =>
    declarations
      .filter(isOwn)
      .flatMap((declaration) => typesNamed(declaration, { checker, hasConstructor: values.has(name) }))
      .filter((symbol) => symbol.declarations?.some(isOwn));
  const missing = new Set<string>();
  const seen = new Set(exported);
  // The set grows while it is walked, so that types which only a missing one names are found, too.
  for (const by of seen) {
    for (const symbol of named(by).filter((candidate) => !seen.has(candidate))) {
      seen.add(symbol);
      missing.add(`no entry point exports ${symbol.name}, which ${by.name} names`);
    }
  }
  return [...missing].sort();
}

interface Exports {
  readonly checker: ts.TypeChecker;
  readonly exported: Set<ts.Symbol>;
}

/** Adds what a module, or a namespace that it exports, gives to its importers. */
function addExports(module: ts.Symbol, { checker, exported }: Exports): void {
  for (const name of checker.getExportsOfModule(module)) {
    const symbol = resolved(name, checker);
    if (!exported.has(symbol)) {
      exported.add(symbol);
      if (symbol.flags & ts.SymbolFlags.Module) {
        addExports(symbol, { checker, exported });
      }
    }
  }
}

/** The names of the values that an ES module exports, as the build writes it. */
function exportedValues(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2023);
  return statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map(({ name }) => name.text)
      : [],
  );
}

interface Naming {
  readonly checker: ts.TypeChecker;
  /** Whether hosts may call the constructor of the class that is declared. */
  readonly hasConstructor: boolean;
}

/** The names that the types inside a declaration refer to, other than its own type parameters. */
function typesNamed(declaration: ts.Declaration, { checker, hasConstructor }: Naming): readonly ts.Symbol[] {
  const names: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isConstructorDeclaration(node) && !hasConstructor) {
      return;
    }
    if (ts.isTypeReferenceNode(node)) {
      names.push(node.typeName);
    } else if (ts.isExpressionWithTypeArguments(node)) {
      names.push(node.expression);
    } else if (ts.isTypeQueryNode(node)) {
      names.push(node.exprName);
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return names.flatMap((name) => {
    const symbol = checker.getSymbolAtLocation(name);
    const target = symbol && resolved(symbol, checker);
    return target === undefined || target.flags & ts.SymbolFlags.TypeParameter ? [] : [target];
  });
}

function resolved(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}
