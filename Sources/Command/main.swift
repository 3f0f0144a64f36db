import SwitchFS

// Closures formed here would belong to the main actor and trap on other threads: there are none.
exitProcess(Dispatch.run(CommandLine.arguments))
