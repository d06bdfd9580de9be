; Inno Setup 6: installs for the present user, without administrator rights. Made by packaging/freeze.py on Windows:
;   iscc /DVersion=0.1.0 /DFlavour=station /DSource=dist\station\gcdesk /Odist\station packaging\windows\gcdesk.iss
#ifndef Version
  #error Version is not set
#endif
#ifndef Flavour
  #define Flavour "station"
#endif
#ifndef Source
  #define Source "..\..\dist\station\gcdesk"
#endif

[Setup]
AppId={{6B0E4B0D-6C38-4B57-9A77-3C1B8A0C5A41}
AppName=gcdesk
AppVersion={#Version}
AppVerName=gcdesk {#Version} ({#Flavour})
AppPublisher=The gcdesk developers
DefaultDirName={localappdata}\Programs\gcdesk
DefaultGroupName=gcdesk
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputBaseFilename=gcdesk-{#Version}-{#Flavour}-windows-x64
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
LicenseFile=..\..\LICENSE
UninstallDisplayIcon={app}\gcdesk.exe
; A window that is open is closed first: its files cannot be replaced while it runs.
CloseApplications=yes
RestartApplications=no
ChangesAssociations=yes

[InstallDelete]
; An update leaves nothing of the older program: a stale library would be found first.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Source}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\gcdesk"; Filename: "{app}\gcdesk.exe"
Name: "{group}\Uninstall gcdesk"; Filename: "{uninstallexe}"

[Registry]
Root: HKCU; Subkey: "Software\Classes\.gcmodel"; ValueType: string; ValueData: "gcdesk.model"; Flags: uninsdeletevalue uninsdeletekeyifempty
Root: HKCU; Subkey: "Software\Classes\gcdesk.model"; ValueType: string; ValueData: "gcdesk model"; Flags: uninsdeletekey
Root: HKCU; Subkey: "Software\Classes\gcdesk.model\DefaultIcon"; ValueType: string; ValueData: "{app}\gcdesk.exe,0"
Root: HKCU; Subkey: "Software\Classes\gcdesk.model\shell\open\command"; ValueType: string; ValueData: """{app}\gcdesk.exe"" ""%1"""

[Run]
Filename: "{app}\gcdesk.exe"; Description: "Start gcdesk"; Flags: nowait postinstall skipifsilent

[Code]
procedure CurUninstallStepChanged(CurUninstallStep: TUninstallStep);
var
  Question: String;
begin
  if CurUninstallStep <> usPostUninstall then
    exit;
  Question := 'Delete the settings, sessions and models of gcdesk too?' + #13#10 + #13#10 +
    'With No they stay, for a later installation.';
  { A silent removal keeps them. }
  if UninstallSilent then
    exit;
  if MsgBox(Question, mbConfirmation, MB_YESNO or MB_DEFBUTTON2) = IDYES then
    DelTree(ExpandConstant('{localappdata}\gcdesk'), True, True, True);
end;
