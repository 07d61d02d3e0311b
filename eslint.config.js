import typescript from "typescript-eslint";

const size = (lines) => ["error", { max: lines, skipBlankLines: true, skipComments: true }];

const everywhere = {
  eqeqeq: ["error", "always"],
  "no-console": "error",
  "no-var": "error",
  "prefer-const": "error",
  "object-shorthand": "error",
  "max-depth": ["error", 3],
  "max-nested-callbacks": ["error", 3],
  complexity: ["error", 12],
  "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"] }],
};

/** Rules that need types, and pay: a promise nobody waits for is an outcome nobody sees. */
const typed = {
  "@typescript-eslint/no-explicit-any": "error",
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
  "@typescript-eslint/await-thenable": "error",
  "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true, allowThrowingAny: false }],
  "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  "@typescript-eslint/no-unnecessary-type-assertion": "error",
  "@typescript-eslint/consistent-type-imports": [
    "error",
    { fixStyle: "inline-type-imports", disallowTypeAnnotations: false },
  ],
  "@typescript-eslint/ban-ts-comment": "error",
};

const comments = {
  linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: "error" },
};

export default typescript.config(
  { ignores: ["dist*", "build", "node_modules", "docs"] },
  comments,
  { rules: everywhere },
  {
    files: ["**/*.ts"],
    languageOptions: {
      parser: typescript.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": typescript.plugin },
    rules: typed,
  },
  {
    files: ["src/**/*.ts", "bench/**/*.ts", "bin/*.js", "scripts/*.js"],
    rules: { "max-lines": size(250), "max-lines-per-function": size(40), "max-params": ["error", 5] },
  },
  { files: ["src/**/*.ts"], rules: { "@typescript-eslint/no-non-null-assertion": "error" } },
  { files: ["test/**/*.ts"], rules: { "max-nested-callbacks": ["error", 5] } },
  { files: ["bin/*.js", "scripts/*.js", "bench/**/*.ts"], rules: { "no-console": "off" } },
);
