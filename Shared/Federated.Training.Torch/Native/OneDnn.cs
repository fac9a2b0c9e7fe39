using System.Runtime.InteropServices;
using TorchSharp;

namespace Federated.Training.Torch.Native;

/// <summary>
/// torch's switch for oneDNN, which holds its fast float32 convolutions. In libtorch 2.10 they read memory that nothing wrote: on an AMD EPYC the gradients of
/// depthwise convolutions came out as garbage or NaN, from run to run another, and of one model the loss too, while the same graph in float64 and torch's plain
/// kernels agree. A reference has to be right first. TorchSharp does not pass the switch on, so it is called by its name in the library.
/// </summary>
internal static class OneDnn
{
    private const string Library = "torch_cpu";

    private static readonly Lazy<bool> _off = new(SwitchOff);

    /// <summary>Switches oneDNN off for the whole process; once is enough.</summary>
    /// <exception cref="PlatformNotSupportedException">This build of torch does not have the switch under a name that is known.</exception>
    public static void EnsureOff() => _ = _off.Value;

    private static bool SwitchOff()
    {
        // Names as the compilers write at::globalContext() and at::Context::setUserEnabledMkldnn(bool).
        (string context, string enable) = OperatingSystem.IsWindows()
            ? ("?globalContext@at@@YAAEAVContext@1@XZ", "?setUserEnabledMkldnn@Context@at@@QEAAX_N@Z")
            : ("_ZN2at13globalContextEv", "_ZN2at7Context20setUserEnabledMkldnnEb");
        if (!NativeLibrary.TryLoad(Library, typeof(torch).Assembly, null, out nint library)
            || !NativeLibrary.TryGetExport(library, context, out nint globalContext)
            || !NativeLibrary.TryGetExport(library, enable, out nint setEnabled))
        {
            throw new PlatformNotSupportedException(
                $"torch's library '{Library}' does not have the switch for oneDNN, whose convolutions are not exact. Use the version of libtorch that this software names, or the ONNX Runtime engine.");
        }

        nint instance = Marshal.GetDelegateForFunctionPointer<GlobalContext>(globalContext)();
        Marshal.GetDelegateForFunctionPointer<SetUserEnabledMkldnn>(setEnabled)(instance, 0);
        return true;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint GlobalContext();

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void SetUserEnabledMkldnn(nint context, byte enabled);
}
